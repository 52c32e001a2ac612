"""Methods with a GAN or a critic."""
