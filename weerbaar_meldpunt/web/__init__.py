"""web: the pages. One blueprint a room; a page reads the form, does one thing and redirects."""
