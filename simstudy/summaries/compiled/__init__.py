"""Rows of draws by compiled functions: one sort a row, bits for indicators, autocovariances until they end."""
