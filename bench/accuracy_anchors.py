# SPDX-License-Identifier: Apache-2.0
"""What others reach, published or measured on the same recordings; see docs/recognition.md."""

ANCHORS = {
    "slouch, T4 (sit_postures)": "0.987 one threshold; 0.70 slouch F1, CNN, 4 sensors (data set)",
    "six trunk poses, T4 (sit_postures)": "0.789 before; 0.865 CNN, 4 sensors (data set)",
    "walking, L5 (gait_l5)": "0.975 mobgap GsdIonescu; 0.93 rule (F1 per sample)",
    "postures, waist (hapt)": "0.960 before (5 classes); 0.96 SVM on 561 features (Anguita 2013)",
    "postures, chest (dsads)": "0.901-0.928 before; no published figure by person",
}
