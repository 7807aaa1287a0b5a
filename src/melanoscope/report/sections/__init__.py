"""The sections of the page: each turns a `Study` into plain values for its template."""
