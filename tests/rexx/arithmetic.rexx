/* numbers, NUMERIC DIGITS, FORM and FUZZ */
say 1 / 3 2 / 3 10 / 2 1 / 4 2 ** 10 2 ** -2 7 % 2 7 // 2 -7 // 2 -7 % 2
say 0.1 + 0.2 1.20 + 3 1.20 * 3 100 * 1.1 1E3 + 1 1e-10 * 3 12345678 * 87654321
numeric digits 30; say 1 / 3 2 ** 90 12345678901234567890 * 98765432109876543210
numeric digits 5; say 123456 + 1 1 / 7 99999 + 1 123.456 + 0
numeric digits 50; x = 1; do i = 1 to 40; x = x * i; end; say x
numeric digits; say digits() form() fuzz()
numeric form engineering; say 123456789 * 1000000 1e-11 * 123; numeric form scientific; say 123456789 * 1000000
numeric fuzz 3; say 123456789 = 123456123; numeric fuzz 0; say 123456789 = 123456123
say (1 = 1.0) ('1' == '1.0') ('abc' = ' abc ') ('abc' == ' abc') (5 > 10) ('5' >> '10') ('a' < 'b') (1 \= 2) (1 <> 1)
say abs(-3.5) sign(-2) sign(0) max(1, 9, 3) min(4, 2, 8) trunc(3.999) trunc(3.14159, 2) format(3.14159, 4, 2)
say format(12345.678, , 2) format(0.000012, , , 2, 0) format(1e10, 3, 2, 2, 2) -2 ** 2 (-2) ** 3
say (1 & 0) (1 | 0) (1 && 1) (\1) ((3 > 2) & (2 > 1)) (5 - -3) (+7)
