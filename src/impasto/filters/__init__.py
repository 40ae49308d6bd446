"""The filters, from the files that go in to the picture that comes out."""
