"""The program `hub`, also called `im`."""
