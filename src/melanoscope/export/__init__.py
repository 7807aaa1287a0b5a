"""From a trained network to a bundle: graphs, calibration, measurements, licence."""
