"""Pages and letters; a package only so that the wheel carries them (docs/decisions/0002)."""
