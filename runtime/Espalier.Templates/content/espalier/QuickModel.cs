using Espalier;

namespace Answerer;

// The policy: before decoder layer 2, the half of the visual tokens that the question attends to least leaves. Put the
// cursor on the class to see the plan and what it costs; 'espalier plan MODEL_FOLDER -p "[FastV(K = 2, R = 0.5)]"' draws it.
[VisionLanguageModel("MODEL_NAME")]
[FastV(K = 2, R = 0.5)]
public sealed partial class QuickModel;
