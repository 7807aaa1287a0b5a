"""The queue, the threads and what they do with photographs."""
