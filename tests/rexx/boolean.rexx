/* a value that is neither 0 nor 1 */
x = 2; if x then say 'yes'; else say 'no'
