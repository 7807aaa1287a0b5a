"""HTTP around the routes: forms, limits, headers, problem documents."""
