"""Constants of nature. Pure."""

G_M_S2 = 9.81
