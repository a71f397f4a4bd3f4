"""The courses that come with CogniFlow, loaded as demo data."""
