"""What the terminal shows of findings; richer forms are reporters, which plugins offer."""
