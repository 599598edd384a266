"""Many pages at once: sources in, shard sets out (`pixread render`)."""
