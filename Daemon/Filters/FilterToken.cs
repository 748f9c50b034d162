namespace ImageStore.Daemon.Filters;

/// <summary>What a filter consists of.</summary>
internal enum FilterToken
{
    /// <summary>Its end.</summary>
    End,

    /// <summary>A name of letters, digits and underscores.</summary>
    Field,

    /// <summary>A value without quotes.</summary>
    Value,

    /// <summary>Something in quotes.</summary>
    Quoted,

    /// <summary>A dot or a comma.</summary>
    Separator,

    /// <summary><c>=</c>, <c>!</c> and <c>~</c> in a row.</summary>
    Operator,

    /// <summary>Nothing that a filter may have there.</summary>
    Other,
}
