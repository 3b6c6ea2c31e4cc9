"""What symae asks of the process and the system: files, locks, threads, memory, the terminal. Nothing here knows a graph."""
