"""Getting shards worked: claims, wake-ups, timers. Knows no delivery."""
