"""weerbaar_meldpunt."""
