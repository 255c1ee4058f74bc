from montage.plan import cut_points


def test_clips_end_on_beats():
    assert cut_points([1.1, 0.9, 2.2], beat=0.5) == [1.0, 2.0, 4.0]


def test_no_clip_is_shorter_than_a_beat():
    assert cut_points([0.1], beat=0.5) == [0.5]
