"""The sections of the page: each turns a `ReportContext` into plain values for its template."""
