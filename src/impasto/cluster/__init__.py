"""Workers on a Ray cluster: joined, engaged, watched and replaced, whatever they do."""
