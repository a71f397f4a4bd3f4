"""Detection of risk in what people write."""
