retake synth data/pairs --pairs 4 --no-oracles minutes=0.5 sample_rate=22050 channels=1
rm -r data/pairs/truth
