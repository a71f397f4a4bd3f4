"""The optional language model that answers for the coach. When it fails, the coach's rules answer."""
