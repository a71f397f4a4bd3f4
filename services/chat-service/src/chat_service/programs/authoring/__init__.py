"""Programs as data: checked, published in versions, labelled, compared, tried out against each other."""
