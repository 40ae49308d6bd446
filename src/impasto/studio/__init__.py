"""Looking at paintings: sheets, films of their growth, plots, sweeps."""
