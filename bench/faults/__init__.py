"""What happens to deliveries when processes, databases, hosts, disks, clocks and vendors fail.

    python -m bench.faults [--scale full|small|tiny] [--driver sqlite|postgres] [NAME …]

Everything is a process of its own: `hub serve`, `hub worker`, a PostgreSQL server, a vendor that
counts what it is asked. Each scenario sends signed webhooks over HTTP as a vendor does (again
until it is answered 2xx), breaks something, waits until the inbox is empty, and counts at the
vendor: lost, duplicated, disordered. `hub check inbox` has to pass at the end of each.
"""
