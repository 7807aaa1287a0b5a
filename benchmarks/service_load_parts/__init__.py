"""Parts of the measurement of the service under load; see benchmarks/service_load.py."""
