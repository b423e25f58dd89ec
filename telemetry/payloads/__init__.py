"""Where each room's word becomes JSON and a time-series point. One file a word; the envelope is common."""
