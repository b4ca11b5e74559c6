"""From an image to what the vehicle needs to know about the hero."""
