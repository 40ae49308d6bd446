"""Collections: many photos in many styles, on one machine or on many."""
