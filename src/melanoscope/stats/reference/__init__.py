"""What is compared with: the poster's table and protocol, published accuracy of physicians."""
