"""The long form: what is killed, broken and flooded (`make torture`)."""
