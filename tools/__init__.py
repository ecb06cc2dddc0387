"""What a person types and reads: the command line, reports, benchmarks."""
