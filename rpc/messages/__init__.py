"""Between messages and what queries take and give, in both directions; used by server and client.

A ``read_`` function gets the path of the field it reads, and names it in its errors.
"""
