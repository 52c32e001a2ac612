"""What every method is: detector, plan, options, one network, one fit, hold-out, batches."""
