"""Privacy: everything held on somebody in one archive, or erased everywhere."""
