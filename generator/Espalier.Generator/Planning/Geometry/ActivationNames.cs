namespace Espalier.Planning;

/// <summary>The names that Hugging Face configs give to activation functions.</summary>
internal static class ActivationNames
{
    public static Activation Read(ConfigSection section, string field, string absent)
    {
        switch (section.Word(field, absent))
        {
            case "quick_gelu":
                return Activation.QuickGelu;
            case "gelu":
                return Activation.Gelu;
            case "gelu_pytorch_tanh" or "gelu_new":
                return Activation.GeluTanh;
            case "silu" or "swish":
                return Activation.Silu;
            default:
                section.Report(GeometryRule.Unsupported, field, "Supported: quick_gelu, gelu, gelu_pytorch_tanh, silu.");
                return Activation.Gelu;
        }
    }
}
