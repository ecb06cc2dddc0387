"""How the network asks: several indexes that answer as one."""
