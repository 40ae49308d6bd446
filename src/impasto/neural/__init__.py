"""Neural style transfer: VGG-19, the losses, the optimiser, the chain."""
