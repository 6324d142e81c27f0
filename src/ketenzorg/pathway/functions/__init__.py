"""Every formula and score that a pathway file may name, and the clinical arithmetic behind them."""
