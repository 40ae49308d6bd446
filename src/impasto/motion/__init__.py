"""Pictures that move: videos, bursts, and a painting set in motion."""
