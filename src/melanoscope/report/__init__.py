"""From a finished run folder to tables, figures and one page. Reads files; trains nothing."""
