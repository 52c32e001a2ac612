"""What the trainer knows of the machine: recording, denormal numbers, memory, precision, device."""
