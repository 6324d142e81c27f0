"""Who hears of what: subscriptions, notifications, messages."""
