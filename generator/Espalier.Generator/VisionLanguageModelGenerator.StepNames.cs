namespace Espalier;

public sealed partial class VisionLanguageModelGenerator
{
    /// <summary>The names of the tracked steps, in the order in which they run.</summary>
    public static class StepNames
    {
        /// <summary>The additional files that are models, with their names.</summary>
        public const string ModelItems = "1_ModelItems";

        /// <summary>The geometry, or the problem, of each model.</summary>
        public const string Models = "2_Models";

        /// <summary>All models, sorted by name.</summary>
        public const string AllModels = "3_AllModels";

        /// <summary>The declared classes; null for one that is declared wrongly.</summary>
        public const string Declarations = "4_Declarations";

        /// <summary>The declared classes with their plans; null for one that cannot be planned.</summary>
        public const string Plans = "5_Plans";
    }
}
