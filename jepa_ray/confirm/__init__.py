"""Six seeded passes as Ray Tune trials, and the proof that they are whole."""
