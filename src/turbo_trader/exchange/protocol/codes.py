"""Codes that answer a request when a fault asks for it, in the venue's message; those of a cause stand where it is looked for."""

from __future__ import annotations

from typing import Final

ON_DEMAND: Final = {
    429: "The trading service is overloaded, please try again later.",
    10000: "Server Timeout",
    10002: "invalid request, please check your server timestamp or recv_window param.",
    10003: "API key is invalid.",
    10004: "error sign! origin_string[...]",
    10006: "Too many visits. Exceeded the API Rate Limit.",
    10014: "Invalid duplicate request.",
    10016: "Request timeout, please try again later.",
    10017: "Route not found.",
    10019: "The trade service is restarting, please connect again.",
    20003: "Too frequent requests under the same session.",
    110004: "Insufficient wallet balance.",
    110005: "position status",
    110006: "cannot afford estimated position_margin",
    110008: "Order has been finished or canceled.",
    110010: "Order has been canceled.",
    110012: "Insufficient available balance.",
    110018: "user_id is illegal.",
    110019: "order_id is illegal.",
    110021: "Order would exceed the open interest limit.",
    110022: "qty has been limited, cannot modify the order to add qty.",
    110023: "This contract only supports position closing via reduceOnly orders.",
    110026: "Cross/isolated margin mode is not modified.",
    110032: "Illegal order.",
    110039: "Maintenance margin rate is too high. This may trigger liquidation.",
    110040: "Order will trigger forced liquidation, please resubmit the order.",
    110042: "Pre-delivery status can only reduce positions.",
    110044: "Insufficient available margin.",
    110045: "Insufficient wallet balance.",
    110046: "Any adjustments made will trigger immediate liquidation.",
    110051: "The user's available balance cannot cover the lowest price of the current market.",
    110052: "User's available balance is insufficient to set a price.",
    110053: "The user's available balance cannot cover the current market price and upper limit price.",
    110063: "Settlement in progress! not available for trading.",
    110079: "The order is processing and can not be operated, please try again later.",
    110085: "The risk limit is being updated, please try again later.",
    110086: "The leverage is higher than the maximum of the risk limit.",
    110118: "Market order price is not available, please try again later.",
    110120: "Order price is limited.",
    110121: "Order price is limited.",
}
AMBIGUOUS: Final = frozenset({429, 10000, 10014, 10016})  # the request may have been processed
