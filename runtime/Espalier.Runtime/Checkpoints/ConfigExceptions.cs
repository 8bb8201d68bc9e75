using Espalier.Planning;

namespace Espalier;

/// <summary>The base of everything that can be wrong inside <c>config.json</c> or <c>generation_config.json</c>.</summary>
public abstract class ConfigException : CheckpointException
{
    private protected ConfigException(string file, GeometryProblem problem)
        : base(file, problem.Message) => Problem = problem;

    /// <summary>The finding: field, value, expectation, line and column.</summary>
    public GeometryProblem Problem { get; }

    /// <summary>The exception that belongs to the rule of a finding.</summary>
    internal static ConfigException For(string file, GeometryProblem problem) => problem.Rule switch
    {
        GeometryRule.MalformedJson => new MalformedConfigException(file, problem),
        GeometryRule.DuplicateField => new DuplicateConfigFieldException(file, problem),
        GeometryRule.MissingField => new MissingConfigFieldException(file, problem),
        GeometryRule.WrongType => new ConfigFieldTypeException(file, problem),
        GeometryRule.OutOfRange => new ConfigFieldRangeException(file, problem),
        GeometryRule.Inconsistent => new InconsistentConfigException(file, problem),
        GeometryRule.UnknownFamily => new UnknownFamilyException(file, problem),
        _ => new UnsupportedConfigException(file, problem),
    };
}

/// <summary>The config is no JSON object in UTF-8.</summary>
public sealed class MalformedConfigException : ConfigException
{
    internal MalformedConfigException(string file, GeometryProblem problem)
        : base(file, problem)
    {
    }
}

/// <summary>An object of the config names a field twice.</summary>
public sealed class DuplicateConfigFieldException : ConfigException
{
    internal DuplicateConfigFieldException(string file, GeometryProblem problem)
        : base(file, problem)
    {
    }
}

/// <summary>A field without a default is absent.</summary>
public sealed class MissingConfigFieldException : ConfigException
{
    internal MissingConfigFieldException(string file, GeometryProblem problem)
        : base(file, problem)
    {
    }
}

/// <summary>A field has the wrong JSON type.</summary>
public sealed class ConfigFieldTypeException : ConfigException
{
    internal ConfigFieldTypeException(string file, GeometryProblem problem)
        : base(file, problem)
    {
    }
}

/// <summary>A number lies outside of its range.</summary>
public sealed class ConfigFieldRangeException : ConfigException
{
    internal ConfigFieldRangeException(string file, GeometryProblem problem)
        : base(file, problem)
    {
    }
}

/// <summary>Two fields contradict each other.</summary>
public sealed class InconsistentConfigException : ConfigException
{
    internal InconsistentConfigException(string file, GeometryProblem problem)
        : base(file, problem)
    {
    }
}

/// <summary>The model, its tower or its decoder is of a family that Espalier does not run.</summary>
public sealed class UnknownFamilyException : ConfigException
{
    internal UnknownFamilyException(string file, GeometryProblem problem)
        : base(file, problem)
    {
    }
}

/// <summary>A known family uses an option that Espalier does not run.</summary>
public sealed class UnsupportedConfigException : ConfigException
{
    internal UnsupportedConfigException(string file, GeometryProblem problem)
        : base(file, problem)
    {
    }
}
