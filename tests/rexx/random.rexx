/* RANDOM within its bounds, and repeatable from a seed */
do 200; r = random(1, 6); if r < 1 | r > 6 then say 'out' r; end
call random , , 7; a = random(0, 99) random(0, 99); call random , , 7; say (a = random(0, 99) random(0, 99))
