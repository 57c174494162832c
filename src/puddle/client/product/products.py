"""The products there are."""

from __future__ import annotations

from puddle.client.product import Product

PRODUCT_DAI = Product("Driverless AI", "dai")
PRODUCT_H2O3 = Product("H2O-3", "h2o3")
PRODUCT_AUTOML = Product("AutoML", "automl")
PRODUCT_SCANNER = Product("Scanner", "scanner")
